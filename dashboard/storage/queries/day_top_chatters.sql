-- Who wrote most in a room in a stretch of time.
select
  arg_max(coalesce(user_display_name, user_login, user_id), sent_at) as user_name,
  count(*) as message_count
from chat_messages
where room_login = $room
  and sent_at >= $start_at
  and sent_at < $end_at
  and (source_room_id is null or source_room_id = room_id)
group by coalesce(user_id, '@' || user_login)
order by message_count desc, user_name
limit $limit

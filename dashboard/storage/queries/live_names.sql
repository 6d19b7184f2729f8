-- The newest display names of some chatters of a room.
select
  hash(coalesce(user_id, '@' || user_login)) as who,
  arg_max(coalesce(user_display_name, user_login, user_id), sent_at) as user_name
from chat_messages
where room_login = $room
  and sent_at >= $start_at
  and sent_at < $end_at
  and list_contains($whos, hash(coalesce(user_id, '@' || user_login)))
group by who

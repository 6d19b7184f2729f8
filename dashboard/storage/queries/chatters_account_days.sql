-- What one account wrote in some channels, by UTC day; mirrored messages are left out.
select
  room_login,
  epoch_us(sent_at) // 86400000000 as day,
  count(*) as message_count,
  epoch_us(min(sent_at)) as first_at,
  epoch_us(max(sent_at)) as last_at,
  arg_max(user_login, sent_at) as user_login,
  arg_max(user_display_name, sent_at) as user_display_name
from chat_messages
where user_id = $user_id
  and list_contains($rooms, room_login)
  and (source_room_id is null or source_room_id = room_id)
group by all
order by day, room_login

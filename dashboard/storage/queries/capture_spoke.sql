-- Who wrote in a room in a stretch of time, with their newest names; mirrored messages are left out.
with own as (
  select distinct on (event_id) event_id, user_id, user_login, user_display_name, sent_at
  from chat_messages
  where room_login = $room
    and sent_at >= $start_at
    and sent_at < $end_at
    and user_id is not null
    and (source_room_id is null or source_room_id = room_id)
)
select
  user_id,
  arg_max(user_login, sent_at) as user_login,
  arg_max(user_display_name, sent_at) as user_display_name,
  count(*) as message_count,
  epoch_us(min(sent_at)) as first_at,
  epoch_us(max(sent_at)) as last_at
from own
group by user_id
order by user_id

-- On which UTC days a room has messages or viewer samples, in a stretch of time.
with seen as (
  select room_login, room_id, sent_at from chat_messages where sent_at >= $start_at and sent_at < $end_at
  union all
  select room_login, room_id, sent_at from viewer_samples where sent_at >= $start_at and sent_at < $end_at
)
select
  room_login,
  epoch_us(sent_at) // 86400000000 as day_number,
  max(room_id) as room_id
from seen
group by room_login, day_number
order by room_login, day_number

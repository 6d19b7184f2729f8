-- Raids that arrived in a channel in a stretch of time, as chat or EventSub told; one row a raid.
select epoch_us(min(sent_at)) as sent_at, from_login, max(viewer_count) as viewer_count
from (
  select sent_at, user_login as from_login, viewer_count
  from raids
  where room_login = $room and sent_at between $start_at and $end_at
  union all
  select sent_at, from_room_login, viewer_count
  from channel_raids
  where room_login = $room and sent_at between $start_at and $end_at and direction = 'in'
)
group by from_login, epoch_us(sent_at) // 120000000
order by 1

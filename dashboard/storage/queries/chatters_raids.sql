-- Raids that arrived in a channel in a stretch of time, as chat and EventSub told them: a raid can be in it twice.
select epoch_us(sent_at) as sent_at, user_login as from_login, viewer_count
from raids
where room_login = $room and sent_at between $start_at and $end_at
union all
select epoch_us(sent_at), from_room_login, viewer_count
from channel_raids
where room_login = $room and sent_at between $start_at and $end_at and direction = 'in'
order by 1

-- The viewer counts of a channel in a stretch of time.
select epoch_us(sent_at) as sent_at, viewer_count
from viewer_samples
where room_login = $room and sent_at between $start_at and $end_at
order by sent_at

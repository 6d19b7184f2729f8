-- What was told about a room's streams in a stretch of time: viewer samples, starts and ends.
select
  event_id, epoch_us(sent_at) as sent_at, epoch_us(received_at) as received_at, 'sample' as action,
  viewer_count, stream_id, epoch_us(started_at) as started_at, game_name, title, language, source
from viewer_samples
where room_login = $room and sent_at between $start_at and $end_at
union all
select
  event_id, epoch_us(sent_at), epoch_us(received_at), action,
  null, stream_id, epoch_us(started_at), game_name, title, language, source
from streams
where room_login = $room and sent_at between $start_at and $end_at

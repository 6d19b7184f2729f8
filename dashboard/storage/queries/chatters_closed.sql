-- The captures of these that are closed: how many people each has, from when to when it was made, and the
-- instant before which its people count as seen earlier.
select
  capture_id, 'connected' as source, room_login, chatter_count as person_count,
  epoch_us(sent_at) as started_at, epoch_us(greatest(sent_at, received_at)) as closed_at,
  epoch_us(sent_at) as cut_at
from chatter_polls
where list_contains($capture_ids, capture_id)
union
select
  capture_id, 'spoke', room_login, speaker_count,
  epoch_us(sent_at), epoch_us(greatest(sent_at, received_at)), epoch_us(coalesce(start_at, sent_at))
from speaker_polls
where list_contains($capture_ids, capture_id)
order by closed_at, capture_id

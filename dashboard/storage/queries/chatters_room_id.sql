-- The id of a channel, as its lists tell it.
select room_id
from (
  select room_id, sent_at from chatter_polls where room_login = $room and room_id is not null
  union all
  select room_id, sent_at from speaker_polls where room_login = $room and room_id is not null
)
order by sent_at desc
limit 1

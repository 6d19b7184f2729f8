-- The whole ledger of a room: when which collector saw it.
select collector, state, epoch_us(sent_at) as sent_at, reason
from observations
where room_login = $room
order by sent_at

-- The same for the ledger of observations: rooms that were watched, whether anybody wrote or not.
select
  filename,
  room_login,
  arg_max(room_id, sent_at) as room_id,
  epoch_us(min(sent_at)) as first_at,
  epoch_us(max(sent_at)) as last_at,
  0 as message_count
from ({files})
where {conditions}
group by filename, room_login

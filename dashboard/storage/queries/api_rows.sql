-- The matching rows themselves, in the one order that every event has its own place in.
-- {columns}, {files}, {conditions}, {first} and {count} are put in by storage/records.py, never by a caller.
select {columns}
from ({files})
where {conditions}
order by sent_at {first}, event_id {first}, room_login {first}
limit {count}

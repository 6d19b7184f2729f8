-- What each file knows of each room: from when to when, and how many messages were written there.
select
  filename,
  room_login,
  arg_max(room_id, sent_at) as room_id,
  epoch_us(min(sent_at)) as first_at,
  epoch_us(max(sent_at)) as last_at,
  count(*) filter (where source_room_id is null or source_room_id = room_id) as message_count
from ({files})
where {conditions}
group by filename, room_login

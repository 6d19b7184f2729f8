-- Messages of a room in a stretch of time: when, and a number for who. Mirrored ones are left out.
select
  epoch_us(sent_at) as sent_at,
  epoch_us(received_at) as received_at,
  hash(coalesce(user_id, '@' || user_login)) as who
from chat_messages
where room_login = $room
  and sent_at >= $start_at
  and sent_at <= $end_at
  and (source_room_id is null or source_room_id = room_id)

-- Messages of each person in a room by minute. Mirrored ones are left out.
select
  epoch_us(sent_at) // 60000000 as minute,
  hash(coalesce(user_id, '@' || user_login)) as who,
  count(*) as message_count
from chat_messages
where room_login = $room
  and sent_at >= $start_at
  and sent_at < $end_at
  and (source_room_id is null or source_room_id = room_id)
group by minute, who

-- Messages of a room by 10 s, with the first and last of each bin. Mirrored ones are left out.
select
  epoch_us(sent_at) // 10000000 as bin,
  count(*) as message_count,
  epoch_us(min(sent_at)) as first_at,
  epoch_us(max(sent_at)) as last_at
from chat_messages
where room_login = $room
  and sent_at >= $start_at
  and sent_at < $end_at
  and (source_room_id is null or source_room_id = room_id)
group by bin
order by bin

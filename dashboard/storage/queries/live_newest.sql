-- The newest message and the newest viewer sample of a room in a stretch of time.
select
  (select epoch_us(max(sent_at)) from chat_messages
   where room_login = $room and sent_at between $start_at and $end_at) as message_at,
  (select epoch_us(max(received_at)) from chat_messages
   where room_login = $room and sent_at between $start_at and $end_at) as message_received_at,
  (select epoch_us(max(sent_at)) from viewer_samples
   where room_login = $room and sent_at between $start_at and $end_at) as sample_at

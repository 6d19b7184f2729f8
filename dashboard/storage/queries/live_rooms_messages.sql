-- The newest message of every room in a stretch of time.
select room_login, epoch_us(max(sent_at)) as message_at
from chat_messages
where sent_at between $start_at and $end_at
group by room_login

-- Ids of the notifications received since an instant, newest first, at most 200,000.
select event_id, epoch_us(received_at) as received_at
from notifications
where received_at >= $since_at and transport = 'webhook'
order by received_at desc
limit 200000

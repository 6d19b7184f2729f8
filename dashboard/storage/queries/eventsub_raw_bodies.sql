-- Some notifications of one type and UTC day, whole, oldest first.
select
  event_id, eventsub_type, eventsub_version, transport, body,
  epoch_us(sent_at) as sent_at, epoch_us(received_at) as received_at
from notifications
where sent_at >= $since_at and received_at < $until_at
  and eventsub_type = $type and strftime(sent_at at time zone 'UTC', '%Y-%m-%d') = $day
  and list_contains($ids, event_id)
order by sent_at, event_id

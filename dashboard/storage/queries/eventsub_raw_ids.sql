-- Message ids of one type and UTC day in a stretch, oldest first.
select event_id
from notifications
where sent_at >= $since_at and received_at < $until_at and body is not null
  and eventsub_type = $type and strftime(sent_at at time zone 'UTC', '%Y-%m-%d') = $day
order by sent_at, event_id

-- How many notifications of each type and UTC day came in a stretch, oldest first.
select eventsub_type, strftime(sent_at at time zone 'UTC', '%Y-%m-%d') as day, count(*) as row_count
from notifications
where sent_at >= $since_at and received_at < $until_at and body is not null
group by all
order by day, eventsub_type

-- How often the people of captures changed their login or display name, each change counted once.
with people as (
  select distinct user_id
  from chatters
  where list_contains($capture_ids, capture_id) and sent_at between $start_at and $end_at
  union
  select distinct user_id
  from speakers
  where list_contains($capture_ids, capture_id) and sent_at between $start_at and $end_at
)
select hash(user_id) as who, count(distinct event_id) as rename_count
from renames semi join people using (user_id)
group by user_id

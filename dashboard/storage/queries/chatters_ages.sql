-- When the people of captures made their accounts, in seconds; who is not known is missing.
with people as (
  select distinct user_id
  from chatters
  where list_contains($capture_ids, capture_id) and sent_at between $start_at and $end_at
  union
  select distinct user_id
  from speakers
  where list_contains($capture_ids, capture_id) and sent_at between $start_at and $end_at
)
select hash(user_id) as who, epoch_us(max(account_created_at)) // 1000000 as created_s
from accounts semi join people using (user_id)
where account_created_at is not null
group by user_id

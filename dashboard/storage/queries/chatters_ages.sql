-- When the people of captures made their accounts, in seconds; whose age is not known is missing.
with people as (
  select hash(user_id) as who
  from chatters
  where list_contains($capture_ids, capture_id) and sent_at between $start_at and $end_at
  union all
  select hash(user_id)
  from speakers
  where list_contains($capture_ids, capture_id) and sent_at between $start_at and $end_at
),
aged as (
  select hash(user_id) as who, account_created_at from accounts where account_created_at is not null
)
select who, epoch_us(max(account_created_at)) // 1000000 as created_s
from aged semi join people using (who)
group by who

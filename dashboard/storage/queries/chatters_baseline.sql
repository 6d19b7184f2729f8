-- Creation days of the people in other channels' newest lists, each person once; who is in these captures
-- is left out. One row a day.
with closed as (
  select capture_id
  from (
    select capture_id, room_login, sent_at
    from chatter_polls
    where not list_contains($rooms, room_login)
    union
    select capture_id, room_login, sent_at
    from speaker_polls
    where not list_contains($rooms, room_login)
  )
  qualify row_number() over (partition by room_login order by sent_at desc) <= $lists
),
here as (
  select user_id
  from chatters
  where list_contains($capture_ids, capture_id) and sent_at between $start_at and $end_at
  union
  select user_id
  from speakers
  where list_contains($capture_ids, capture_id) and sent_at between $start_at and $end_at
),
elsewhere as (
  select user_id, room_login
  from chatters semi join closed using (capture_id)
  where not list_contains($rooms, room_login)
  union
  select user_id, room_login
  from speakers semi join closed using (capture_id)
  where not list_contains($rooms, room_login)
),
others as (select user_id from elsewhere anti join here using (user_id) group by user_id),
aged as (
  select user_id, epoch_us(max(account_created_at)) // 86400000000 as day
  from accounts semi join others using (user_id)
  where account_created_at is not null
  group by user_id
)
select
  day,
  count(*) as account_count,
  (select count(distinct room_login) from elsewhere) as room_count
from aged
group by day
order by day

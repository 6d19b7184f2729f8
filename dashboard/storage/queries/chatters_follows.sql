-- Who of the people of captures follows some channels, and since when (the first channel's, if several).
with people as (
  select distinct user_id
  from chatters
  where list_contains($capture_ids, capture_id) and sent_at between $start_at and $end_at
  union
  select distinct user_id
  from speakers
  where list_contains($capture_ids, capture_id) and sent_at between $start_at and $end_at
)
select hash(user_id) as who, epoch_us(min(coalesce(followed_at, sent_at))) as followed_at
from (
  select user_id, followed_at, sent_at from follows where list_contains($rooms, room_login)
  union all
  select user_id, followed_at, sent_at from followers where list_contains($rooms, room_login)
) semi join people using (user_id)
group by user_id

-- In which complete lists of some channels the people of captures were, up to an instant.
-- Of each: how many of one source, the first and the last of any, and whether one is before the channel's cut.
with cuts as (select unnest($rooms) as room_login, unnest($cuts) as cut_us),
closed as (
  select capture_id, row_number() over () as number, source, room_login
  from (
    select distinct capture_id, 'connected' as source, room_login
    from chatter_polls semi join cuts using (room_login)
    where sent_at <= $end_at
    union all
    select distinct capture_id, 'spoke', room_login
    from speaker_polls semi join cuts using (room_login)
    where sent_at <= $end_at
  )
),
people as (
  select distinct user_id
  from chatters
  where list_contains($capture_ids, capture_id) and sent_at between $start_at and $end_at
  union
  select distinct user_id
  from speakers
  where list_contains($capture_ids, capture_id) and sent_at between $start_at and $end_at
),
listed as (
  select capture_id, user_id, epoch_us(sent_at) as at_us
  from chatters semi join people using (user_id)
  where list_contains($rooms, room_login) and sent_at <= $end_at
  union all
  select capture_id, user_id, epoch_us(sent_at)
  from speakers semi join people using (user_id)
  where list_contains($rooms, room_login) and sent_at <= $end_at
)
select
  hash(user_id) as who,
  count(distinct number) filter (source = $source) as seen_count,
  min(at_us) as first_at,
  max(at_us) as last_at,
  bool_or(at_us < cut_us and not list_contains($capture_ids, capture_id)) as is_earlier
from listed join closed using (capture_id) join cuts using (room_login)
group by user_id

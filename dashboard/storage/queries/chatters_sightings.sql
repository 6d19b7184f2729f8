-- In which complete lists of some channels the people of captures were, up to an instant.
-- Of each: how many of one source, the first and the last of any, and whether one is before the channel's cut.
with cuts as (select unnest($rooms) as room_login, unnest($cuts) as cut_us),
closed as (
  select
    capture_id, row_number() over () as number, source,
    case when list_contains($capture_ids, capture_id) then 0 else cut_us end as cut_us
  from (
    select distinct capture_id, 'connected' as source, room_login
    from chatter_polls
    where list_contains($rooms, room_login) and sent_at <= $end_at
    union all
    select distinct capture_id, 'spoke', room_login
    from speaker_polls
    where list_contains($rooms, room_login) and sent_at <= $end_at
  ) join cuts using (room_login)
),
people as (
  select hash(user_id) as who
  from chatters
  where list_contains($capture_ids, capture_id) and sent_at between $start_at and $end_at
  union
  select hash(user_id)
  from speakers
  where list_contains($capture_ids, capture_id) and sent_at between $start_at and $end_at
),
listed as (
  select capture_id, hash(user_id) as who, epoch_us(sent_at) as at_us
  from chatters
  where list_contains($rooms, room_login) and sent_at <= $end_at
  union all
  select capture_id, hash(user_id), epoch_us(sent_at)
  from speakers
  where list_contains($rooms, room_login) and sent_at <= $end_at
)
select *
from (
  select
    who,
    count(distinct number) filter (source = $source) as seen_count,
    min(at_us) as first_at,
    max(at_us) as last_at,
    bool_or(at_us < cut_us) as is_earlier
  from listed join closed using (capture_id)
  group by who
) semi join people using (who)

-- One row per stretch in which a collector lost sight of a room it should have been reading.
-- ended_at is NULL while the gap lasts. A collector that died without a word has its `lost` written,
-- with the instant of its last sign of life, when the next one starts; several of them in a row
-- are one gap.
with
told as (
  select
    collector, room_login, room_id, state, reason, sent_at, event_id,
    lag(state) over room_of_collector as state_before
  from observations
  window room_of_collector as (partition by collector, room_login order by sent_at, state = 'joined', event_id)
),
changes as (
  select *, lead(sent_at) over room_of_collector as next_at
  from told
  where state is distinct from state_before
  window room_of_collector as (partition by collector, room_login order by sent_at, state = 'joined', event_id)
)
select
  collector, room_login, room_id, sent_at as started_at, next_at as ended_at,
  date_diff('millisecond', sent_at, next_at) / 1000.0 as duration_s, reason
from changes
where state = 'lost'

-- What was told last about every room's stream in a stretch of time.
with told as (
  select room_login, sent_at, received_at, 'sample' as action, viewer_count, game_name, source
  from viewer_samples
  where sent_at between $start_at and $end_at
  union all
  select room_login, sent_at, received_at, action, null, game_name, source
  from streams
  where sent_at between $start_at and $end_at
)
select
  room_login,
  epoch_us(max(sent_at)) as told_at,
  epoch_us(max(received_at)) as received_at,
  arg_max(action, (sent_at, action <> 'end')) as action,
  arg_max(source, (sent_at, action <> 'end')) as source,
  arg_max(viewer_count, sent_at) filter (where viewer_count is not null) as viewer_count,
  arg_max(game_name, sent_at) filter (where game_name is not null) as game_name
from told
group by room_login

-- Every analysis that came to its end, the newest first, without what only drawing needs.
select
  run_id,
  epoch_us(max(sent_at)) as created_us,
  any_value(seed) as seed,
  any_value(origin) as origin,
  any_value(preset) as preset,
  any_value(channel_count) as channel_count,
  any_value(edge_count) as edge_count,
  any_value(community_count) as community_count,
  any_value(isolate_count) as isolate_count,
  any_value(chatter_count) as chatter_count,
  any_value(seen_as) as seen_as,
  any_value(observed_hours) as observed_hours,
  epoch_us(any_value(from_at)) as from_us,
  epoch_us(any_value(until_at)) as until_us,
  any_value(modularity) as modularity,
  any_value(agreement) as agreement,
  any_value(stability) as stability,
  any_value(previous_run_id) as previous_run_id,
  any_value(quality::json -> '$.sources')::varchar as sources,
  any_value(communities) as communities
from community_runs
where $origin = '' or origin = $origin
group by run_id
order by created_us desc, run_id
limit $most

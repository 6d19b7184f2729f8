-- One analysis, as its closing row has it.
select
  epoch_us(sent_at) as created_us, seed, channel_count, edge_count, params, communities, statistics, quality,
  changes
from community_runs
where run_id = $run_id
limit 1

-- One channel in every analysis that has it, oldest first.
select
  n.run_id,
  epoch_us(max(n.sent_at)) as created_us,
  any_value(n.chatters) as chatters,
  any_value(n.community_key) as community_key,
  any_value(n.community_label) as community_label,
  any_value(n.stability) as stability,
  any_value(n.degree) as degree
from community_nodes n
join community_runs r using (run_id)
where n.channel_id = $channel_id
group by n.run_id
order by created_us

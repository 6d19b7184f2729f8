-- The channels of one analysis, largest first, each once.
select distinct on (place)
  place, channel_id, channel_login, channel_name, x, y, radius, community, stability, torn, torn_share, game,
  language, content, tags, viewers, observed_minutes, chatters, degree, strength, inside_share
from community_nodes
where run_id = $run_id and sent_at = $created_at
order by place

-- The overlaps of one analysis, strongest first, each once.
select distinct on (place)
  place, source_place, target_place, shared, jaccard, containment_ab, containment_ba, lift, p_value,
  in_backbone, is_drawn
from community_edges
where run_id = $run_id and sent_at = $created_at
order by place

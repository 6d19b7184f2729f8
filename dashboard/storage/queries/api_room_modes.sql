-- The modes of every room as they stand at the end of a stretch of time: a change that tells only some
-- leaves the others as they were.
select
  room_login,
  arg_max(room_id, sent_at) as room_id,
  max(sent_at) as changed_at,
  arg_max(is_emote_only, sent_at) as is_emote_only,
  arg_max(followers_only_min, sent_at) as followers_only_min,
  arg_max(is_unique_chat, sent_at) as is_unique_chat,
  arg_max(slow_s, sent_at) as slow_s,
  arg_max(is_subs_only, sent_at) as is_subs_only,
  arg_max(language, sent_at) as language,
  arg_max(has_rituals, sent_at) as has_rituals
from ({files})
where {conditions} and room_login > $after
group by room_login
order by room_login
limit {count}

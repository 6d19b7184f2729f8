-- The people of captures, each once, with their newest name in them. The numbers for id and login (who,
-- login_who) are those by which the other queries about them name them.
with listed as (
  select user_id, user_login, user_display_name, sent_at
  from chatters
  where list_contains($capture_ids, capture_id) and sent_at between $start_at and $end_at
  union all
  select user_id, user_login, user_display_name, sent_at
  from speakers
  where list_contains($capture_ids, capture_id) and sent_at between $start_at and $end_at
)
select
  user_id,
  hash(user_id) as who,
  hash(lower(arg_max(user_login, sent_at))) as login_who,
  arg_max(user_login, sent_at) as user_login,
  arg_max(user_display_name, sent_at) as user_display_name,
  epoch_us(min(sent_at)) as listed_at
from listed
group by user_id
order by user_id

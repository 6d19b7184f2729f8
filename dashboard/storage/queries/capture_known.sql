-- What is known of some accounts: creation date, newest name and since when, and when Twitch was last asked
-- for a creation date in vain.
with wanted as (select unnest($user_ids::varchar[]) as user_id)
select
  user_id,
  epoch_us(min(account_created_at)) as created_at,
  arg_max(user_login, sent_at) as user_login,
  arg_max(user_display_name, sent_at) as user_display_name,
  epoch_us(max(sent_at)) as named_at,
  epoch_us(max(received_at) filter (where account_created_at is null)) as asked_at
from accounts
semi join wanted using (user_id)
group by user_id

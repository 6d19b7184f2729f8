-- One account: its newest name and when it was made.
select
  arg_max(user_login, sent_at) filter (user_login is not null) as user_login,
  arg_max(user_display_name, sent_at) filter (user_display_name is not null) as user_display_name,
  epoch_us(max(account_created_at)) as created_at
from accounts
where user_id = $user_id

-- The renames of one account, oldest first; each change once.
select
  epoch_us(min(sent_at)) as sent_at,
  any_value(old_login) as old_login, any_value(user_login) as new_login,
  any_value(old_display_name) as old_display_name, any_value(user_display_name) as new_display_name
from renames
where user_id = $user_id
group by event_id
order by 1

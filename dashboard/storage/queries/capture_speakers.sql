-- The same of a list of who spoke; they were met when they wrote last.
select user_id, arg_max(user_login, last_at) as user_login,
  arg_max(user_display_name, last_at) as user_display_name,
  epoch_us(max(last_at)) as met_at,
  any_value(message_count) as message_count
from speakers
where capture_id = $capture and sent_at = $started_at
group by user_id
order by user_id

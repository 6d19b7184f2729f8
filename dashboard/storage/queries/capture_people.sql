-- The people of a capture that are stored so far, each once: when they were met, and how they are called.
select user_id, arg_min(user_login, received_at) as user_login,
  arg_min(user_display_name, received_at) as user_display_name,
  epoch_us(min(received_at)) as met_at
from chatters
where capture_id = $capture and sent_at = $started_at
group by user_id
order by user_id

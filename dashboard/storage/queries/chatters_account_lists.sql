-- The complete lists in which one account was, newest first: who was connected in managed channels only.
with closed as (
  select capture_id from chatter_polls where list_contains($managed, room_login)
  union
  select capture_id from speaker_polls where list_contains($rooms, room_login)
)
select
  capture_id, source, any_value(room_login) as room_login, epoch_us(min(sent_at)) as sent_at,
  arg_max(user_login, sent_at) as user_login, arg_max(user_display_name, sent_at) as user_display_name,
  max(message_count) as message_count
from (
  select
    capture_id, 'connected' as source, room_login, sent_at, user_login, user_display_name,
    null::bigint as message_count
  from chatters
  where user_id = $user_id and list_contains($managed, room_login)
  union all
  select capture_id, 'spoke', room_login, sent_at, user_login, user_display_name, message_count
  from speakers
  where user_id = $user_id and list_contains($rooms, room_login)
) semi join closed using (capture_id)
group by capture_id, source
order by sent_at desc

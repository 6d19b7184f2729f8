-- Everybody who wrote in a stretch of time, once each, by user id: what is known of them, and how much they
-- wrote. Messages mirrored from another room's chat are left out: they are told where they were written.
-- {files}, {conditions} and {count} are put in by storage/record_lists.py, never by a caller.
select
  coalesce(user_id, '@' || user_login) as who,
  any_value(user_id) as user_id,
  arg_max(user_login, sent_at) as user_login,
  arg_max(user_display_name, sent_at) as user_display_name,
  min(sent_at) as first_seen_at,
  max(sent_at) as last_seen_at,
  count(*) as message_count,
  count(distinct room_login) as room_count,
  list_sort(list(distinct user_login) filter (where user_login is not null)) as logins
from ({files})
where {conditions}
  and (source_room_id is null or source_room_id = room_id)
  and coalesce(user_id, user_login) is not null
group by who
having who > $after
order by who
limit {count}

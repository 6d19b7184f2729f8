-- In which other channels the survey met the people of captures: one row a person and channel.
with people as (
  select user_id, any_value(lower(user_login)) as user_login
  from (
    select user_id, user_login
    from chatters
    where list_contains($capture_ids, capture_id) and sent_at between $start_at and $end_at
    union all
    select user_id, user_login
    from speakers
    where list_contains($capture_ids, capture_id) and sent_at between $start_at and $end_at
  )
  group by user_id
),
met as (
  select p.user_id, s.room_login
  from survey_presence s join people p on s.user_id = p.user_id
  where s.sent_at >= $since_at
  union
  select p.user_id, s.room_login
  from survey_presence s join people p on s.user_login = p.user_login
  where s.user_id is null and s.sent_at >= $since_at
)
select user_id, room_login from met where not list_contains($rooms, room_login)

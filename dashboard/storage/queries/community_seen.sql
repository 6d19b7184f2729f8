-- One row per person and occasion (a survey's capture, or a day of a followed channel's chat).
-- Mirrored messages belong to their source room. Who is known by login only gets the id that a message told.
with
captures as (
  select capture_id, room_id, sent_at
  from survey_captures
  where sent_at >= make_timestamptz($from_at) and sent_at < make_timestamptz($until_at)
    and room_id is not null and $with_survey
),
met as (
  select
    c.room_id as channel_id, lower(p.user_login) as login, p.user_id, p.message_count as messages,
    'c' || epoch_us(c.sent_at) // 86400000000 as occasion, epoch_us(c.sent_at) // 600000000 as moment
  from survey_presence p join captures c using (capture_id)
  where p.sent_at >= make_timestamptz($from_at) and p.sent_at < make_timestamptz($until_at)
    and (not $speakers_only or p.message_count > 0)
  union all
  select
    room_id, lower(max(user_login)), user_id, count(*), 'd' || epoch_us(sent_at) // 86400000000, null
  from chat_messages
  where sent_at >= make_timestamptz($from_at) and sent_at < make_timestamptz($until_at) and $with_chat
    and room_id is not null and user_id is not null
    and (source_room_id is null or source_room_id = room_id)
  group by room_id, user_id, epoch_us(sent_at) // 86400000000
),
known as (
  select login, min(user_id) as user_id from met where user_id is not null and login is not null group by login
)
select
  met.channel_id, coalesce(met.user_id, known.user_id, met.login) as person, met.login, met.messages,
  met.occasion, met.moment
from met left join known on met.user_id is null and met.login = known.login
where coalesce(met.user_id, known.user_id, met.login) is not null

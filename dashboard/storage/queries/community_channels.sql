-- What is known of each channel in a stretch of time: the newest names, the game shown most, mean viewers.
with
looks as (
  select
    room_id, room_login, sent_at, game_name, language, viewer_count, room_display_name, tags, title,
    observed_s
  from survey_captures
  where sent_at >= make_timestamptz($from_at) and sent_at < make_timestamptz($until_at)
    and room_id is not null and $with_survey
  union all
  select room_id, room_login, sent_at, game_name, language, viewer_count, null, null, title, null
  from viewer_samples
  where sent_at >= make_timestamptz($from_at) and sent_at < make_timestamptz($until_at)
    and room_id is not null and $with_chat
  union all
  select room_id, max(room_login), max(sent_at), null, null, null, null, null, null, null
  from chat_messages
  where sent_at >= make_timestamptz($from_at) and sent_at < make_timestamptz($until_at)
    and room_id is not null and $with_chat
  group by room_id
),
games as (
  select room_id, game_name from looks where game_name is not null
  group by room_id, game_name
  qualify row_number() over (partition by room_id order by count(*) desc, game_name) = 1
)
select
  room_id,
  arg_max(room_login, sent_at) as login,
  arg_max(room_display_name, sent_at) filter (where room_display_name is not null) as name,
  any_value(games.game_name) as game,
  arg_max(language, sent_at) filter (where language is not null) as language,
  arg_max(tags, sent_at) filter (where tags is not null) as tags,
  round(avg(viewer_count)) as viewers,
  sum(observed_s) / 60 as captured_minutes
from looks left join games using (room_id)
group by room_id

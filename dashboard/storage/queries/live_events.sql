-- What happened in a room in a stretch of time, all kinds in one shape, for the feed and the markers.
-- Mirrored events belong to the room they happened in. The newest come first when there are too many.
with events as (
  select
    'raids' as kind, event_id, sent_at, received_at, source_room_id, room_id,
    coalesce(user_display_name, user_login) as user_name, user_id, false as is_anonymous,
    viewer_count as amount, null::varchar as plan, null::bigint as months, null::varchar as detail,
    null::varchar as other_name, null::varchar as text, null::varchar as origin_id, null::varchar as community_gift_id
  from raids where room_login = $room and sent_at between $start_at and $end_at
  union all
  select
    'subscriptions', event_id, sent_at, received_at, source_room_id, room_id,
    coalesce(user_display_name, user_login), user_id, false,
    null, plan, coalesce(cumulative_months, legacy_months), null, null, null, null, null
  from subscriptions where room_login = $room and sent_at between $start_at and $end_at
  union all
  select
    'sub_gifts', event_id, sent_at, received_at, source_room_id, room_id,
    coalesce(user_display_name, user_login), user_id, is_anonymous,
    null, plan, gift_months, null, coalesce(recipient_display_name, recipient_login), null, origin_id, community_gift_id
  from sub_gifts where room_login = $room and sent_at between $start_at and $end_at
  union all
  select
    'mystery_gifts', event_id, sent_at, received_at, source_room_id, room_id,
    coalesce(user_display_name, user_login), user_id, is_anonymous,
    gift_count, plan, null, null, null, null, origin_id, community_gift_id
  from mystery_gifts where room_login = $room and sent_at between $start_at and $end_at
  union all
  select
    'pay_forwards', event_id, sent_at, received_at, source_room_id, room_id,
    coalesce(user_display_name, user_login), user_id, is_prior_gifter_anonymous,
    null, null, null, coalesce(prior_gifter_display_name, prior_gifter_login),
    coalesce(recipient_display_name, recipient_login), null, null, null
  from pay_forwards where room_login = $room and sent_at between $start_at and $end_at
  union all
  select
    'paid_upgrades', event_id, sent_at, received_at, source_room_id, room_id,
    coalesce(user_display_name, user_login), user_id, false,
    null, plan, null, upgraded_from, coalesce(gifter_display_name, gifter_login), null, null, null
  from paid_upgrades where room_login = $room and sent_at between $start_at and $end_at
  union all
  select
    'one_tap_gifts', event_id, sent_at, received_at, source_room_id, room_id,
    coalesce(user_display_name, user_login), user_id, false,
    bits_spent, null, null, null, giver_display_name, null, null, null
  from one_tap_gifts where room_login = $room and sent_at between $start_at and $end_at
  union all
  select
    'bits', event_id, sent_at, received_at, source_room_id, room_id,
    coalesce(user_display_name, user_login), user_id, false,
    bits, null, null, null, null, null, null, null
  from bits where room_login = $room and sent_at between $start_at and $end_at
  union all
  select
    'bits_badge_tiers', event_id, sent_at, received_at, source_room_id, room_id,
    coalesce(user_display_name, user_login), user_id, false,
    threshold, null, null, null, null, null, null, null
  from bits_badge_tiers where room_login = $room and sent_at between $start_at and $end_at
  union all
  select
    'announcements', event_id, sent_at, received_at, source_room_id, room_id,
    coalesce(user_display_name, user_login), user_id, false,
    null, null, null, announcement_color, null, text, null, null
  from announcements where room_login = $room and sent_at between $start_at and $end_at
  union all
  select
    'milestones', event_id, sent_at, received_at, source_room_id, room_id,
    coalesce(user_display_name, user_login), user_id, false,
    value, null, null, category, null, null, null, null
  from milestones where room_login = $room and sent_at between $start_at and $end_at
  union all
  (select
    'moderation', event_id, sent_at, received_at, source_room_id, room_id,
    target_user_login, target_user_id, false,
    duration_s, null, null, action, null, null, null, null
  from moderation where room_login = $room and sent_at between $start_at and $end_at
  order by sent_at desc limit 500)
)
select
  kind, event_id, epoch_us(sent_at) as sent_at, epoch_us(received_at) as received_at, user_name, user_id,
  is_anonymous, amount, plan, months, detail, other_name, text, origin_id, community_gift_id
from events
where source_room_id is null or source_room_id = room_id
order by sent_at desc, event_id
limit $limit

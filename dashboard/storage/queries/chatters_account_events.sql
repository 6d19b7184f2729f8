-- What else happened around one account, newest first: follows and Twitch's label in managed channels, coming
-- and going in all that may be read.
select epoch_us(coalesce(followed_at, sent_at)) as at_us, 'follow' as category, room_login, null as words
from follows
where user_id = $user_id and list_contains($managed, room_login)
union
select epoch_us(coalesce(followed_at, sent_at)), 'follow', room_login, null
from followers
where user_id = $user_id and list_contains($managed, room_login)
union
select epoch_us(sent_at), 'suspicious', room_login, low_trust_status
from suspicious_users
where user_id = $user_id and list_contains($managed, room_login) and action = 'update'
union
select epoch_us(sent_at), action, room_login, null
from user_list
where user_login = $user_login and list_contains($rooms, room_login) and action in ('join', 'part')
order by at_us desc
limit $most

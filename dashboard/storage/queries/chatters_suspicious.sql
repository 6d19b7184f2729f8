-- Twitch's own label of accounts in some channels, as it was told last up to an instant.
select
  hash(user_id) as who,
  arg_max(low_trust_status, sent_at) as low_trust_status,
  arg_max(ban_evasion_evaluation, sent_at) filter (ban_evasion_evaluation is not null)
    as ban_evasion_evaluation
from suspicious_users
where list_contains($rooms, room_login)
  and sent_at <= $until_at
  and user_id is not null
  and low_trust_status is not null
group by user_id
having arg_max(low_trust_status, sent_at) <> 'none'

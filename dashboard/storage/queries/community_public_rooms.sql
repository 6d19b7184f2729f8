-- The channels that the survey has ever read: the platform's largest, chosen by size and by nobody.
select distinct lower(room_login) as room_login
from survey_captures
where room_login <> ''

-- The channels whose chat the survey has read to its end since an instant.
select distinct room_id
from survey_captures
where sent_at >= $start_at and room_id is not null

-- Which of the matching rows come first: their times, and the files they stand in.
-- {files}, {conditions}, {first} and {count} are put in by storage/records.py, never by a caller.
select sent_at, filename
from ({files})
where {conditions}
order by sent_at {first}
limit {count}

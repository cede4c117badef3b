-- What engines had begun on a stack and nobody has settled yet. Its state can't keep it: `pulumi stack import` drops such entries.
alter table stacks add column pending jsonb;

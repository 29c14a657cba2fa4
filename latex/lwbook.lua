-- Where a listing or a callout breaks over pages, three of its lines stay together on
-- either side of the break; up to eleven lines do not break at all.
local TOGETHER, WHOLE = 3, 11

local function is_line(item)
  local box = item.id == node.id("hlist") or item.id == node.id("vlist")
  return box and item.height + item.depth > 0
end

local function unbreakable()
  local penalty = node.new("penalty")
  penalty.penalty = 10000
  return penalty
end

-- Forbid every break from one line to the next.
local function tie(list, line, next_line)
  local item = line.next
  while item ~= next_line do
    if item.id == node.id("penalty") then
      item.penalty = 10000
    elseif item.id == node.id("glue") then
      list.head = node.insert_before(list.head, item, unbreakable())
    end
    item = item.next
  end
end

-- Tie the first and the last lines of a box, given by its number.
function booktie(box)
  local list, lines = tex.box[box], {}
  for item in node.traverse(list.head) do
    if is_line(item) then
      lines[#lines + 1] = item
    end
  end
  for k = 1, #lines - 1 do
    if #lines <= WHOLE or k < TOGETHER or k > #lines - TOGETHER then
      tie(list, lines[k], lines[k + 1])
    end
  end
end
